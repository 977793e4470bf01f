//! Where a websocket's frames end (RFC 6455 §5.2): only between two of them may something be said in an instance's name.

/// How far a stream of frames is.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; 14],
    /// Bytes of the head that passed.
    has: usize,
    /// Bytes of the payload that are to pass.
    left: u64,
}

impl Frames {
    /// These bytes passed.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((first, behind)) = bytes.split_first() {
            if self.left > 0 {
                let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= length as u64;
                bytes = &bytes[length..];
                continue;
            }
            self.head[self.has] = *first;
            self.has += 1;
            bytes = behind;
            if let Some(length) = self.payload() {
                (self.left, self.has) = (length, 0);
            }
        }
    }

    /// Whether the last frame ended.
    pub(super) const fn is_between(&self) -> bool {
        self.has == 0 && self.left == 0
    }

    /// The length of the payload, when the head is whole.
    fn payload(&self) -> Option<u64> {
        let second = *self.head[..self.has].get(1)?;
        let width = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        if self.has < 2 + width + mask {
            return None;
        }
        let extended = &self.head[2..2 + width];
        Some(match width {
            0 => u64::from(second & 0x7f),
            _ => extended.iter().fold(0, |length, byte| (length << 8) | u64::from(*byte)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(frame: &[u8]) {
        for step in 1..=frame.len() {
            let mut frames = Frames::default();
            for round in 0..2 {
                let mut passed = 0;
                for part in frame.chunks(step) {
                    frames.pass(part);
                    passed += part.len();
                    assert_eq!(
                        frames.is_between(),
                        passed == frame.len(),
                        "{passed} in steps of {step}, {round}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_frame_ends_with_its_payload_however_it_is_cut() {
        check(&[0x81, 0]);
        check(&[0x81, 2, b'h', b'i']);
        check(&[0x88, 0x82, 1, 2, 3, 4, 5, 6]);
        check(&[&[0x82, 126, 1, 0][..], &[7; 256]].concat());
        check(&[&[0x82, 127, 0, 0, 0, 0, 0, 0, 1, 44][..], &[7; 300]].concat());
        check(&[&[0x82, 0xfe, 0, 126, 1, 2, 3, 4][..], &[7; 126]].concat());
    }
}
