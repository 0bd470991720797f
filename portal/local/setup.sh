#!/bin/sh
# Finds a Python that is new enough and hands over to bootstrap.py beside this file.
for python in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" "$(dirname "$0")/bootstrap.py" "$@"
    fi
done
found=$(python3 --version 2>/dev/null) || found="no python3 at all"
echo "The portal needs Python 3.11 or newer; found $found." >&2
echo "Install one (Debian: apt-get install python3), or name it: make run PYTHON=/path/to/python3.13" >&2
exit 1
