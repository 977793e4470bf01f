<?php
// A PHP service that nobody of the mesh wrote: signs, verifies and keeps its keys in Redis as the package does, with
// PHP's own hash_hmac and nothing else.
//
//   SECRET_FILE=FILE [PEER_NAME=NAME] php -S 127.0.0.1:0 peer.php    a receiver: 401, or what arrived, as JSON
//   php peer.php    answers JSON lines on stdin: {"do": "sign" | "verify" | "call" | "failed" | "worked" | "healthy" | "store" | "redis", ...}

function mac(array $r, string $path, string $time, string $body): string {
    return hash_hmac($r['algorithm'] ?? 'sha256', strtoupper($r['method'])."\n".$path."\n".$time."\n".$body, $r['secret']);
}

// The package's client: leading slashes become one, everything else is signed as it is given.
function sign(array $r): array {
    $time = (string) ($r['now'] ?? time());
    return [$time, mac($r, '/'.ltrim($r['path'], '/'), $time, base64_decode($r['body']))];
}

// The package's receiver: the target as sent without its query, slashes trimmed on both sides. Null, or what it answers.
function refusal(array $r, ?string $signature, ?string $time, string $body): ?string {
    if (!$signature || !$time) {
        return 'Missing signature headers.';
    }
    $path = '/'.trim(explode('?', $r['target'], 2)[0], '/');
    $fresh = abs(($r['now'] ?? time()) - (int) $time) <= ($r['tolerance'] ?? 60);
    return $fresh && hash_equals(mac($r, $path, $time, $body), $signature) ? null : 'Invalid signature or timestamp.';
}

function call(array $r): array {
    [$time, $signature] = sign($r);
    $headers = ['Content-Type: application/json', "X-Service-Name: {$r['name']}", "X-Timestamp: $time", "X-Signature: $signature",
        ...($r['headers'] ?? [])];
    $http = ['method' => $r['method'], 'content' => base64_decode($r['body']), 'header' => $headers, 'ignore_errors' => true,
        'follow_location' => 0, 'timeout' => 30];
    $answer = file_get_contents($r['base'].$r['path'].($r['query'] ?? ''), false, stream_context_create(['http' => $http]));
    return [(int) explode(' ', $http_response_header[0] ?? '')[1], (string) $answer];
}

// One command to Redis, and its reply: text, a number or null.
function redis(array $r, string ...$words): string|int|null {
    $socket = stream_socket_client($r['redis']);
    fwrite($socket, '*'.count($words)."\r\n".implode('', array_map(fn ($word) => '$'.strlen($word)."\r\n$word\r\n", $words)));
    $line = rtrim(fgets($socket));
    return match ($line[0]) {
        '$' => $line === '$-1' ? null : stream_get_contents($socket, (int) substr($line, 1)),
        ':' => (int) substr($line, 1),
        '+' => substr($line, 1),
    };
}

// The package's health record: read, counted on, written with its TTL; a success deletes it; and what it means.
function health(array $r): mixed {
    $key = $r['prefix'].'health:'.$r['service'].':'.md5($r['url']);
    $record = json_decode(redis($r, 'GET', $key) ?? '', true);
    if ($r['do'] === 'healthy') {
        return !$record || $record['failures'] < 3 || time() - $record['last_failure'] >= $r['recovery'];
    }
    $failed = json_encode(['failures' => ($record['failures'] ?? 0) + 1, 'last_failure' => time()]);
    return $r['do'] === 'worked' ? redis($r, 'DEL', $key) : redis($r, 'SETEX', $key, (string) ($r['recovery'] * 2), $failed);
}

// The package's manifest in Redis; its later versions add the name to a set as well.
function store(array $r): mixed {
    if ($r['later']) {
        redis($r, 'SADD', $r['prefix'].'manifests', $r['manifest']['service']);
    }
    return redis($r, 'SETEX', $r['prefix'].'manifest:'.$r['manifest']['service'], '300', json_encode($r['manifest']));
}

if (PHP_SAPI === 'cli') {
    while (($line = fgets(STDIN)) !== false) {
        $r = json_decode($line, true);
        echo json_encode(match ($r['do']) {
            'sign' => sign($r),
            'verify' => refusal($r, $r['signature'], $r['time'], base64_decode($r['body'])),
            'call' => call($r),
            'store' => store($r),
            'redis' => redis($r, ...$r['words']),
            default => health($r),
        }), "\n";
    }
    exit;
}

$body = file_get_contents('php://input');
$request = ['method' => $_SERVER['REQUEST_METHOD'], 'target' => $_SERVER['REQUEST_URI'], 'secret' => file_get_contents(getenv('SECRET_FILE'))];
$refusal = isset($_SERVER['HTTP_X_SERVICE_NAME'])
    ? refusal($request, $_SERVER['HTTP_X_SIGNATURE'] ?? null, $_SERVER['HTTP_X_TIMESTAMP'] ?? null, $body)
    : 'Missing service name header.';
http_response_code($refusal ? 401 : 200);
header('Content-Type: application/json');
unset($request['secret']);
echo json_encode($refusal ? ['error' => $refusal]
    : $request + ['name' => getenv('PEER_NAME'), 'caller' => $_SERVER['HTTP_X_SERVICE_NAME'], 'body' => base64_encode($body)]);
