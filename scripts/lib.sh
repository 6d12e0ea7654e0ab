# What the ensure-* scripts share: saying what is missing, and installing it where that is allowed. Sourced, not run.

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

# as_root runs a command as root, if this user may without being asked for a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

may_install() { as_root true; }

# apt_install installs Debian packages without a question and without what is merely recommended.
apt_install() {
    # The lists may never have been fetched, or be older than what the mirrors still hold.
    as_root apt-get update -qq </dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}
