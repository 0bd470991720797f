"""Starts a cluster twice as an ordinary user: `python -m tests.local.ordinary_user FOLDER`.

Started as root it becomes `nobody` after its imports, whose files that user may not be able to
read; it prints who the server runs as, and what it kept.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
from pathlib import Path

from portal.local.binaries import choose, executable_by
from portal.local.cluster import Cluster
from portal.local.processes import RunAs
from portal.local.roles import connect


def main(folder: Path) -> None:
    using = choose(None)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        using = executable_by(RunAs(nobody.pw_uid, nobody.pw_gid), using)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    with Cluster(folder, durable=False, using=using) as first, connect(first.admin_url) as admin:
        admin.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with Cluster(folder, durable=False, using=using) as second, connect(second.admin_url) as admin:
        row = admin.execute("SELECT answer FROM kept").fetchone()
        assert row is not None
        assert second.process is not None
        owner = Path(f"/proc/{second.process.pid}").stat().st_uid
    print(json.dumps({"answer": row[0], "owner": owner, "us": os.geteuid()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
