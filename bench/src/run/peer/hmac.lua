@BEGIN@
    local ffi = require "ffi"
    ffi.cdef [[
        const void *EVP_sha256(void);
        unsigned char *HMAC(const void *md, const void *key, int key_len,
                            const unsigned char *data, size_t length, unsigned char *out, unsigned int *out_len);
        unsigned char *ngx_hex_dump(unsigned char *out, const unsigned char *data, size_t length);
    ]]
    local C, secret = ffi.C, "@SECRET@"
    local sha256 = C.EVP_sha256()
    local mac, length = ffi.new("unsigned char[64]"), ffi.new("unsigned int[1]")
    local text = ffi.new("unsigned char[128]")

    function sign()
        local body = ""
        local method = ngx.req.get_method()
        if method ~= "GET" then
            ngx.req.read_body()
            body = ngx.req.get_body_data()
            if not body then
                local name = ngx.req.get_body_file()
                if name then
                    local file = io.open(name, "rb")
                    body = file:read("*a")
                    file:close()
                end
            end
        end
        local time = ngx.time()
        local signed = method .. "\n" .. ngx.var.uri .. "\n" .. time .. "\n" .. (body or "")
        C.HMAC(sha256, secret, #secret, signed, #signed, mac, length)
        C.ngx_hex_dump(text, mac, length[0])
        ngx.var.signature = ffi.string(text, length[0] * 2)
        ngx.var.timestamp = time
    end
@END@
