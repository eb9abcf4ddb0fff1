"""Security headers, by which every answer restricts what browsers may do."""

_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
GUARDS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DEVICE = "/device"
"""Path of the page that enlarges in the browser; its worker and its library lie below it."""

_DEVICE_GUARDS = GUARDS | {
    "Content-Security-Policy": _POLICY.replace(
        "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"
    ),
    "Cross-Origin-Embedder-Policy": "require-corp",  # isolated pages may use threads
}


def guards_of(path: str) -> dict[str, str]:
    """Return the security headers of the answer for a path; one page alone may use WebAssembly.

    Args:
        path: path of the request.
    """
    return _DEVICE_GUARDS if path == DEVICE or path.startswith(f"{DEVICE}/") else GUARDS
