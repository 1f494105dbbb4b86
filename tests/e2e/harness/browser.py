"""The console's side of a web session: one cookie, and what the console sends with each change."""

import re

PASSWORD = "correct horse battery"
TOKEN_LINE = re.compile(r"^Portunus onboarding setup token: ([A-Za-z0-9_-]{43})$", re.MULTILINE)


def setup_tokens(life):
    """The setup tokens on plain lines of one life's stderr."""
    return TOKEN_LINE.findall(life.text)


def onboard(server, user="root", password=PASSWORD, token=None, **changes):
    """The answer to an onboarding; the token is that of the running life unless given."""
    body = {"user_id": user, "display_name": "Root", "password": password,
            "password_confirm": password,
            "setup_token": token if token is not None else setup_tokens(server.life)[-1], **changes}
    return server.api.post("/v1/auth/onboarding", body, token=None)


class Browser:
    def __init__(self, server):
        self.server = server
        self.api = server.api
        self.cookie = None
        self.origin = f"http://127.0.0.1:{server.api_port}"

    def log_in(self, user="root", password=PASSWORD):
        """The answer; a success is the session of this browser from now on."""
        answer = self.api.post("/v1/auth/login", {"user_id": user, "password": password},
                               token=None)
        if answer.status == 200:
            text = answer.headers["Set-Cookie"]
            secret = re.match(r"portunus_session=([A-Za-z0-9_-]{43}); ", text)[1]
            self.cookie = f"portunus_session={self.server.lab.secret(secret)}"
        return answer

    def get(self, path):
        return self.api.get(path, token=None, headers={"Cookie": self.cookie})

    def change(self, method, path, body=None, **headers):
        """POST, PUT, PATCH or DELETE; `Origin=None` leaves that header out."""
        sent = {"Cookie": self.cookie, "Origin": self.origin, "X-Portunus-CSRF": "1"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        sent = {name: value for name, value in sent.items() if value is not None}
        return self.api.request(method, path, body, token=None, headers=sent)

    def post(self, path, body=None, **headers):
        return self.change("POST", path, body, **headers)

    def log_out(self):
        return self.post("/v1/auth/logout")

    def change_password(self, current, wanted):
        return self.post("/v1/users/me/password", {
            "current_password": current, "new_password": wanted, "new_password_confirm": wanted})
