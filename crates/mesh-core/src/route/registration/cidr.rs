//! Blocks of addresses.

use std::{fmt, net::IpAddr, str::FromStr};

/// A block of addresses, e.g. `10.0.0.0/8`. A block of IPv4-mapped IPv6 addresses is the block of their IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    bits: u8,
}

/// A text that is no CIDR block. The fault of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of addresses is written as 10.0.0.0/8 or fd00::/8")]
pub struct CidrError;

impl Cidr {
    /// Reads `address/bits`, or an address alone.
    ///
    /// # Errors
    ///
    /// When the text is none, or has bits beyond the mask set.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| CidrError)?;
        let width: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| CidrError)?
            }
            Some(_) => return Err(CidrError),
        };
        if bits > width || masked(address, bits) != value(address) {
            return Err(CidrError);
        }
        match address.to_canonical() {
            network if network.is_ipv4() && width == 128 && bits >= 96 => {
                Ok(Self { network, bits: bits - 96 })
            }
            _ => Ok(Self { network: address, bits }),
        }
    }

    /// Whether `address` lies in the block; an IPv4-mapped IPv6 address is its IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && masked(address, self.bits) == value(self.network)
    }
}

/// The address's bits, the first of them the highest of all 128.
fn value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn masked(address: IpAddr, bits: u8) -> u128 {
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    value(address) & mask
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        Self::parse(text)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.network, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(block: &str, address: &str, expected: bool) {
        let block = Cidr::parse(block).unwrap();
        assert_eq!(block.contains(address.parse().unwrap()), expected, "{block} {address}");
    }

    #[test]
    fn an_address_lies_in_a_block_when_its_first_bits_are_the_blocks() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("192.168.4.0/22", "192.168.7.255", true);
        check("192.168.4.0/22", "192.168.8.0", false);
        check("0.0.0.0/0", "8.8.8.8", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "8.8.8.8", false);
        check("fd00::/8", "fdff::1", true);
        check("fd00::/8", "fc00::1", false);
    }

    #[test]
    fn an_ipv4_mapped_address_is_its_ipv4_address() {
        check("169.254.0.0/16", "::ffff:a9fe:a9fe", true);
        check("::/0", "::ffff:a9fe:a9fe", false);
        check("::ffff:10.0.0.0/104", "10.1.2.3", true);
        check("::ffff:10.0.0.0/104", "11.1.2.3", false);
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0/8",
            "fd00::/129",
            "fd00::1/8",
            "localhost",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
            "010.0.0.0/8",
        ] {
            assert_eq!(Cidr::parse(text), Err(CidrError), "{text}");
        }
    }
}
