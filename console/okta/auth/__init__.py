"""Every way of signing in to an org, as httpx flows. A credential goes to the configured origin and nowhere else."""

from console.okta.auth.token import Credential, TokenAuth

__all__ = ["Credential", "TokenAuth"]
