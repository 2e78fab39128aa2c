"""A JupyterHub for one class on one machine: start it with ``jupyterhub -f jupyterhub_config.py``.

Nothing is open by default: it listens on this machine only, each student has an account of the
machine (PAM) and stands on the roster, nobody is an administrator, and nobody can start another
person's server. Put a web server with a certificate in front of it to let others in.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub puts it here

# One name a line. Who does not stand here cannot log in, whatever the password.
roster = Path(os.environ.get("TAOBAO_ROSTER", "roster.txt"))
if not roster.is_file():
    raise SystemExit(
        f"{roster}: there is no roster. Remedy: write one name a line, or set TAOBAO_ROSTER"
    )
names = {line.strip() for line in roster.read_text("utf-8").splitlines()} - {""}
if not names:
    raise SystemExit(f"{roster}: the roster is empty. Remedy: write one name a line")

c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.JupyterHub.authenticator_class = "pam"
c.Authenticator.allowed_users = names
c.Authenticator.allow_all = False
c.Authenticator.admin_users = set()
c.PAMAuthenticator.admin_groups = set()
c.LocalAuthenticator.create_system_users = False
c.Authenticator.delete_invalid_users = True
c.JupyterHub.authenticate_prometheus = True

# A server starts in JupyterLab, in the student's own folder; an idle one gives its memory back.
c.Spawner.default_url = "/lab"
c.Spawner.args = [
    "--ServerApp.shutdown_no_activity_timeout=3600",
    "--MappingKernelManager.cull_idle_timeout=1800",
]
c.JupyterHub.active_server_limit = len(names)
c.JupyterHub.concurrent_spawn_limit = 10
c.JupyterHub.shutdown_on_logout = True
