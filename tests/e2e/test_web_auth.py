"""People in a browser (http-api 3, 5.1, 6.1): from the setup token to the local reset."""

import concurrent.futures
import json
import re
import statistics
import time

import pytest

from harness.browser import PASSWORD, Browser, onboard, setup_tokens
from harness.server import Server
from harness.stores import change_store
from harness.terminal import Terminal
from harness.waiting import PATIENCE, until

NEW = "a much better password"
WRONG = "incorrect horse battery"


@pytest.fixture
def fresh(lab):
    """A running server that nobody has been introduced to."""
    return Server(lab, bootstrap=False).start()


@pytest.fixture
def console(fresh):
    """A browser in which root has signed in."""
    onboard(fresh).ok(201)
    browser = Browser(fresh)
    browser.log_in().ok(200)
    return browser


def required(server):
    return server.api.get("/v1/auth/status", token=None).ok(200)["onboarding_required"]


def test_HTTP_3_6_onboarding_login_forced_change_logout_and_local_reset(fresh):
    api = fresh.api
    assert required(fresh) is True
    api.get("/v1/users/me", token=None).refused(503, "bootstrap_required")
    answer = onboard(fresh)
    assert answer.ok(201) == {"user_id": "root", "display_name": "Root", "role": "superadmin"}
    assert answer.headers["Set-Cookie"] is None
    assert answer.headers["Cache-Control"] == "no-store"
    assert required(fresh) is False
    onboard(fresh).refused(409, "already_bootstrapped")

    browser = Browser(fresh)
    answer = browser.log_in()
    assert answer.ok(200) == {"password_change_required": False}
    assert answer.headers["Set-Cookie"].endswith(
        "; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800")
    me = browser.get("/v1/users/me")
    assert me.ok(200) == {"user_id": "root", "role": "superadmin", "display_name": "Root"}
    assert me.headers["Set-Cookie"] is None

    # An administrator's reset of the own account ends the own session too.
    reset = browser.post("/v1/users/root/password", {}).ok(200)
    temporary = fresh.lab.secret(reset.pop("temporary_password"))
    assert reset == {"user_id": "root", "sessions_revoked": 1, "api_tokens_revoked": 0}
    browser.get("/v1/users/me").refused(401, "credential_invalid")
    browser.log_in().refused(401, "invalid_login")

    assert browser.log_in(password=temporary).ok(200) == {"password_change_required": True}
    browser.get("/v1/users/me").ok(200)
    browser.get("/v1/rules").refused(403, "password_change_required")
    browser.post("/v1/clients/x/revoke").refused(403, "password_change_required")
    assert browser.change_password(temporary, NEW).status == 204
    browser.get("/v1/rules").ok(200)
    assert browser.post("/v1/clients/x/revoke").status == 204

    done = browser.log_out()
    assert done.status == 204 and done.body == b""
    assert done.headers["Set-Cookie"] == ("portunus_session=; Path=/; HttpOnly; SameSite=Lax; "
                                          "Max-Age=0")
    browser.get("/v1/users/me").refused(401, "credential_invalid")
    browser.log_out().refused(401, "credential_invalid")

    browser.log_in(password=NEW).ok(200)
    other = Browser(fresh)
    other.log_in(password=NEW).ok(200)
    assert fresh.offline("reset-password", "root", "--temporary").code == 75
    fresh.stop()
    out = fresh.offline("reset-password", "root", "--password-stdin", stdin=PASSWORD + "\n").ok()
    assert out == "password_reset=ok user_id=root sessions_revoked=2 api_tokens_revoked=0\n"
    fresh.start()
    for ended in (browser, other):
        ended.get("/v1/users/me").refused(401, "credential_invalid")
    browser.log_in(password=NEW).refused(401, "invalid_login")
    assert browser.log_in().ok(200) == {"password_change_required": False}


def test_HTTP_3_3_a_session_outlives_a_crash_of_the_server(console):
    server = console.server
    server.kill()
    server.start()
    assert console.get("/v1/users/me").ok(200)["user_id"] == "root"


@pytest.mark.parametrize("headers, code", [
    ({"Origin": None}, "csrf_origin_required"),
    ({"Origin": "http://evil.example"}, "csrf_origin_mismatch"),
    ({"Origin": "null"}, "csrf_origin_mismatch"),
    ({"X_Portunus_CSRF": None}, "csrf_header_required"),
    ({"X_Portunus_CSRF": "yes"}, "csrf_header_required"),
    ({"Content_Type": "text/plain"}, "csrf_content_type_required"),
    ({"Content_Type": "application/vnd.x+json"}, "csrf_content_type_required"),
])
def test_HTTP_3_4_csrf(console, headers, code):
    server = console.server
    for method, path in [("POST", "/v1/rules"), ("PUT", "/v1/clients/x"),
                         ("PATCH", "/v1/clients/x/name")]:
        console.change(method, path, {}, **headers).refused(403, code)
    console.post("/v1/auth/logout", {}, **headers).refused(403, code)
    console.get("/v1/users/me").ok(200)
    rows = server.metrics()
    assert rows.value("portunus_operator_requests_total", outcome="deny", reason=code) == 3
    denied = server.life.wait_event("operator.deny", reason=code, path="/v1/rules")
    assert (denied["actor"], denied["auth_method"]) == ("root", "cookie")


def test_HTTP_3_4_csrf_of_a_request_without_body(console):
    console.change("DELETE", "/v1/rules/7", Origin=None).refused(403, "csrf_origin_required")
    console.change("DELETE", "/v1/rules/7").refused(404, "rule_not_found")


def test_HTTP_3_1_a_cookie_is_never_rescued_by_a_bearer(lab, server):
    answer = server.api.get("/v1/users/me", headers={"Cookie": "portunus_session=" + "A" * 43})
    answer.refused(401, "credential_invalid")
    server.api.get("/v1/users/me", headers={"Cookie": "other=1"}).ok(200)


def test_HTTP_3_3_cookies_of_an_https_origin(lab):
    server = Server(lab, bootstrap=False,
                    operator_http_public_origin="https://console.example.com").start()
    onboard(server).ok(201)
    browser = Browser(server)
    assert browser.log_in().headers["Set-Cookie"].endswith("; Max-Age=604800; Secure")
    browser.log_out().refused(403, "csrf_origin_mismatch")
    browser.origin = "https://console.example.com"
    assert browser.log_out().headers["Set-Cookie"].endswith("; Max-Age=0; Secure")


def test_HTTP_3_5_throttle(fresh):
    onboard(fresh).ok(201)
    browser = Browser(fresh)
    for _ in range(5):
        refused = browser.log_in(password=WRONG).refused(401, "invalid_login")
        assert refused.headers["Set-Cookie"] is None
    # Not even the right password, and not even in the server's next life.
    for _ in range(2):
        wait = browser.log_in().refused(429, "rate_limited").headers["Retry-After"]
        assert re.fullmatch(r"\d+", wait) and 1 <= int(wait) <= 60
        fresh.kill()
        fresh.start()
    # The lock is that of one user id.
    browser.log_in(user="somebody").refused(401, "invalid_login")


def test_HTTP_3_5_many_guesses_at_once_are_five_guesses(fresh):
    onboard(fresh).ok(201)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: Browser(fresh).log_in(password=WRONG), range(16)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(401) == 5 and statuses.count(429) == 11, statuses


def test_HTTP_3_6_two_onboardings_at_once(fresh):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda user: onboard(fresh, user), ["root", "boss"]))
    assert sorted(answer.status for answer in answers) == [201, 409]
    loser = max(answers, key=lambda answer: answer.status)
    loser.refused(409, "already_bootstrapped")


def test_HTTP_5_1_onboarding_refusals(fresh):
    onboard(fresh, token="").refused(401, "setup_token_required")
    onboard(fresh, token="A" * 43).refused(401, "setup_token_invalid")
    onboard(fresh, user="_root").refused(422, "reserved_user_id")
    onboard(fresh, password="short").refused(422, "password_too_short")
    onboard(fresh, password_confirm=WRONG).refused(422, "password_mismatch")
    onboard(fresh, display_name=" ").refused(422, "invalid_display_name")
    assert required(fresh) is True
    wait = onboard(fresh).refused(429, "rate_limited").headers["Retry-After"]
    assert 1 <= int(wait) <= 60


def test_HTTP_3_6_each_start_has_a_token_of_its_own(fresh):
    seen = []
    for _ in range(2):
        tokens = setup_tokens(fresh.life)
        assert len(tokens) == 1 and tokens[0] not in seen
        assert fresh.life.text.count(tokens[0]) == 1, "nowhere but on the plain line"
        rotated = fresh.life.wait_event("operator.onboarding_setup_token_rotated")
        assert rotated["level"] == "INFO" and rotated["expires_at"]
        seen += tokens
        fresh.stop()
        fresh.start()
    onboard(fresh, token=seen[0]).refused(401, "setup_token_invalid")
    fresh.stop()
    printed = fresh.offline("onboarding-token").ok()
    replaced = fresh.lab.secret(re.fullmatch(r"setup_token=([A-Za-z0-9_-]{43})\n", printed)[1])
    fresh.start()
    onboard(fresh, token=replaced).refused(401, "setup_token_invalid")  # by the start's own
    onboard(fresh).ok(201)
    fresh.stop()
    refused = fresh.offline("onboarding-token")
    assert refused.code == 2 and refused.error.startswith("error: already_bootstrapped (")
    fresh.start()
    assert setup_tokens(fresh.life) == []
    assert fresh.life.events("operator.onboarding_setup_token_rotated") == []


@pytest.mark.parametrize("how", ["bootstrap", "operator_token"])
def test_HTTP_3_6_no_token_where_a_superadmin_comes_from_elsewhere(lab, how):
    config = {"operator_token": "a-token-of-the-operator"} if how == "operator_token" else {}
    server = Server(lab, bootstrap=how == "bootstrap", **config).start()
    assert setup_tokens(server.life) == []
    assert required(server) is False
    onboard(server, token="A" * 43).refused(409, "already_bootstrapped")


def test_HTTP_6_1_a_reset_gives_api_users_a_password(lab, server):
    answer = server.api.post("/v1/users/_superadmin/password",
                             {"new_password": PASSWORD, "keep_api_tokens": True})
    assert answer.ok(200) == {"user_id": "_superadmin", "sessions_revoked": 0,
                              "api_tokens_revoked": 0}
    browser = Browser(server)
    assert browser.log_in("_superadmin").ok(200) == {"password_change_required": False}
    server.api.get("/v1/users/me").ok(200)
    server.api.post("/v1/users/_superadmin/password", {"new_password": PASSWORD}).ok(200)
    server.api.get("/v1/users/me").refused(401, "credential_invalid")


def test_a_storm_of_logins_delays_nobody_else(lab, server):
    api = server.api
    api.post("/v1/users/_superadmin/password",
             {"new_password": PASSWORD, "keep_api_tokens": True}).ok(200)

    def timed(call, *arguments):
        begin = time.monotonic()
        return call(*arguments), time.monotonic() - begin

    def ask():
        api.get("/v1/users/me").ok(200)
        api.get("/v1/auth/status", token=None).ok(200)

    users = [f"nobody-{number}" for number in range(48)]
    asked = []
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        storm = [pool.submit(timed, Browser(server).log_in, user, WRONG) for user in users * 4]
        while not all(login.done() for login in storm):
            asked.append(timed(ask)[1])
    logins = [login.result() for login in storm]
    statuses = {answer.status for answer, _ in logins}
    assert statuses <= {401, 429}, statuses
    # Whoever stood in the queue of the passwords would wait as long as they do, on any machine.
    waited = statistics.median(took for answer, took in logins if answer.status == 401)
    quick = statistics.median(asked)
    assert len(asked) >= 3 and quick < waited / 4, f"{quick:.3f} s beside logins of {waited:.3f} s"
    assert max(asked) < 5 * PATIENCE, f"{max(asked):.2f} s for the slowest of {len(asked)}"
    # Nobody was locked out on the way, and the server is as it was.
    Browser(server).log_in("_superadmin").ok(200)


def test_CLI_2_2_reset_password_exits(lab, server):
    server.stop()
    for arguments, stdin, code, error in [
            (["Bad!", "--temporary"], None, 3, "error: invalid_user_id"),
            (["nobody", "--temporary"], None, 8, "error: user_not_found: nobody"),
            (["_nobody", "--temporary"], None, 8, "error: user_not_found: _nobody"),
            (["_superadmin", "--password-stdin"], "elevenchars\n", 3, "error: password_too_short"),
            (["_superadmin", "--password-stdin"], "x" * 1025, 3, "error: password_too_long"),
            (["_superadmin", "--password-stdin"], "", 1, "error: read_password_stdin: ")]:
        done = server.offline("reset-password", *arguments, stdin=stdin)
        assert (done.code, done.out) == (code, ""), done.err
        assert done.error.startswith(error), done.err
    # In a session without a terminal, or the test would ask whoever runs it.
    done = lab.run(["setsid", "--wait", server.binary, "--data-dir", server.data,
                    "reset-password", "_superadmin"])
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("error: read_password_tty: "), done.err
    out = server.offline("reset-password", "_superadmin", "--temporary").ok()
    first, second = out.splitlines()
    assert first == "password_reset=ok user_id=_superadmin sessions_revoked=0 api_tokens_revoked=1"
    temporary = lab.secret(re.fullmatch(r"temporary_password=([A-Za-z0-9_-]{43})", second)[1])
    server.start()
    browser = Browser(server)
    answer = browser.log_in("_superadmin", temporary)
    assert answer.ok(200) == {"password_change_required": True}
    server.api.get("/v1/users/me").refused(401, "credential_invalid")


def test_CLI_2_2_reset_password_asks_without_echo(lab, server):
    server.stop()
    terminal = lab.owns(Terminal(lab, [server.binary, "--data-dir", server.data, "reset-password",
                                       "_superadmin", "--keep-api-tokens"]))
    terminal.wait_prompt("New password: ")
    # What was logged stands above the prompt, whole.
    *logged, prompt = terminal.errors.decode().split("\n")
    assert prompt == "New password: "
    assert [json.loads(line)["event"] for line in logged][-1] == "store.ready"
    terminal.type(NEW + "\n")
    terminal.wait_prompt("Confirm password: ")
    terminal.type(NEW + "\n")
    code, out = terminal.wait_end()
    assert code == 0
    assert out == ("password_reset=ok user_id=_superadmin sessions_revoked=0 "
                   "api_tokens_revoked=0\n")
    terminal.read_echo()
    assert NEW.encode() not in terminal.echoed
    server.start()
    Browser(server).log_in("_superadmin", NEW).ok(200)


def test_CLI_2_2_reset_password_wants_the_same_twice(lab, server):
    server.stop()
    terminal = lab.owns(Terminal(lab, [server.binary, "--data-dir", server.data, "reset-password",
                                       "_superadmin"]))
    terminal.wait_prompt("New password: ")
    terminal.type(NEW + "\n")
    terminal.wait_prompt("Confirm password: ")
    terminal.type(NEW + "?\n")
    assert terminal.wait_end() == (3, "")
    assert terminal.errors.decode().endswith("error: password_mismatch\n")
    server.start()
    server.api.get("/v1/users/me").ok(200)  # nothing was reset


def test_CLI_2_2_a_reset_whose_audit_row_cannot_be_written_only_warns(lab, server):
    server.stop()
    change_store(server, "DROP TABLE audit")
    done = server.offline("reset-password", "_superadmin", "--password-stdin", stdin=NEW + "\n")
    assert done.ok() == ("password_reset=ok user_id=_superadmin sessions_revoked=0 "
                         "api_tokens_revoked=1\n")
    assert done.error.startswith("warning: audit_write_failed: ")


def test_HTTP_3_1_a_disabled_user_gets_nowhere(lab, console):
    """`disabled` has no route; it is a state of the store."""
    server = console.server
    server.api.token = lab.secret(console.post("/v1/users/root/credentials", {}).ok(201)["token"])
    server.api.post("/v1/users", {"user_id": "other", "display_name": "O",
                                  "role": "superadmin"}).ok(201)
    server.stop()
    change_store(server, "UPDATE users SET disabled = 1 WHERE user_id = 'root'")
    server.start()
    assert server.life.events("operator.onboarding_setup_token_rotated") == []
    console.get("/v1/users/me").refused(401, "user_disabled")
    console.post("/v1/users", {}).refused(401, "user_disabled")
    server.api.get("/v1/users/me").refused(401, "user_disabled")
    console.log_in().refused(401, "invalid_login")
    for command, code in ((["user-list"], 4), (["list-clients"], 4), (["list-rules"], 1)):
        done = server.cli(*command, token=server.api.token)
        assert done.code == code and done.error.startswith("error: user_disabled (")


def test_HTTP_3_6_a_store_whose_only_superadmin_is_disabled_is_open_again(lab, server):
    server.stop()
    change_store(server, "UPDATE users SET disabled = 1")
    assert re.fullmatch(r"setup_token=[\w-]{43}\n", server.offline("onboarding-token").ok())
    server.start()
    server.api.get("/v1/users/me").refused(503, "bootstrap_required")
    done = server.cli("user-list")
    assert done.code == 6 and done.error.startswith("error: bootstrap_required (")
    onboard(server, "fresh").ok(201)
    server.api.get("/v1/users/me").refused(401, "user_disabled")
