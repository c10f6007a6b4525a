"""Whether a job was started by this user on this machine: only then does `resume` run the function file that its folder names.

A folder may come from anybody, and says which file to run on which inputs. So a job's settings are signed with a key that lies in
the user's own folder of program state, not in the job. Where the signature is not of this key, the user has to give the whole
command again, which names the function and the inputs.
"""

import hmac
import os
import secrets
from hashlib import blake2b
from pathlib import Path

KEY_BYTES = 32


def key_path() -> Path:
    """Where the key lies: `TAPEDIFF_STATE_DIR`, else the user's folder of program state."""
    given = os.environ.get("TAPEDIFF_STATE_DIR")
    if given:
        return Path(given) / "jobs.key"
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(state) / "tapediff" / "jobs.key"


def read_key() -> bytes | None:
    """The key; None if there is none that this user alone can write and read."""
    try:
        descriptor = os.open(key_path(), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            return None
        key = os.read(descriptor, KEY_BYTES + 1)
        return key if len(key) == KEY_BYTES else None
    finally:
        os.close(descriptor)


def make_key() -> bytes | None:
    """The key, made if there is none; None where it cannot be kept."""
    found = read_key()
    if found is not None:
        return found
    path = key_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, secrets.token_bytes(KEY_BYTES))
        finally:
            os.close(descriptor)
        try:
            os.link(partial, path)  # unless another process was faster
        finally:
            os.unlink(partial)
    except OSError:
        pass
    return read_key()


def sign(text: str) -> str | None:
    """A signature of a text; None where no key can be kept.

    >>> is_signed("text", "0" * 64)
    False
    """
    key = make_key()
    return None if key is None else blake2b(text.encode(), key=key, digest_size=32).hexdigest()


def is_signed(text: str, signature: object) -> bool:
    """Whether this user's key made the signature."""
    key = read_key()
    if key is None or not isinstance(signature, str):
        return False
    return hmac.compare_digest(blake2b(text.encode(), key=key, digest_size=32).hexdigest().encode(), signature.encode())
