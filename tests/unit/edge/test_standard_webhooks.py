"""Standard Webhooks: the specification's own vector, time, rotation, forgery."""

from datetime import UTC, datetime

import pytest

from chalicelib.edge.standard_webhooks import TOLERANCE_SECONDS, is_genuine, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(AT, UTC)


def headers(**changed: str) -> dict[str, str]:
    good = {"id": MESSAGE, "timestamp": str(AT), "signature": SIGNATURE} | changed
    return {f"webhook-{name}": value for name, value in good.items()}


@pytest.mark.parametrize("body", [BODY, BODY.decode()])
def test_the_vector_of_the_specification(body):
    assert sign(SECRET, MESSAGE, AT, body) == SIGNATURE


def test_a_genuine_message_is_known():
    assert is_genuine([SECRET], headers(), BODY, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "msg_other"},
        {"id": ""},
        {"timestamp": str(AT + 1)},
        {"timestamp": f"+{AT}"},
        {"timestamp": f" {AT}"},
        {"timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"timestamp": ""},
        {"timestamp": "9" * 30},
        {"signature": ""},
        {"signature": "v1,"},
        {"signature": SIGNATURE.removeprefix("v1,")},
        {"signature": SIGNATURE.replace("v1,", "v1a,")},
        {"signature": "v1,é" + SIGNATURE[4:]},
        {"signature": SIGNATURE + "\ud800"},
        {"id": MESSAGE + "\ud800"},
        {"signature": " ".join(["v1,AAAA"] * 8 + [SIGNATURE])},
    ],
)
def test_P16_any_other_header_is_a_forgery(changed):
    assert not is_genuine([SECRET], headers(**changed), BODY, NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_P16_every_header_is_needed(name):
    given = headers()
    del given[name]
    assert not is_genuine([SECRET], given, BODY, NOW)


@pytest.mark.parametrize("body", [BODY + b" ", b"", BODY.replace(b"2", b"3")])
def test_P16_another_body_is_a_forgery(body):
    assert not is_genuine([SECRET], headers(), body, NOW)


@pytest.mark.parametrize(
    ("seconds", "genuine"),
    [
        (TOLERANCE_SECONDS, True),
        (TOLERANCE_SECONDS + 1, False),
        (-TOLERANCE_SECONDS, True),
        (-TOLERANCE_SECONDS - 1, False),
    ],
)
def test_P16_old_and_far_future_messages_are_refused(seconds, genuine):
    now = datetime.fromtimestamp(AT + seconds, UTC)
    assert is_genuine([SECRET], headers(), BODY, now) is genuine


def test_while_a_secret_is_exchanged_both_are_good():
    new = "whsec_TG9jYWxXYWxsZXRTZWNyZXRGb3JUZXN0czAxMjM0NTY3"
    assert is_genuine([new, SECRET], headers(), BODY, NOW)
    both = f"{sign(new, MESSAGE, AT, BODY)} {SIGNATURE}"
    assert is_genuine([new], headers(signature=both), BODY, NOW)


def test_P16_no_secret_admits_nothing():
    assert not is_genuine([], headers(), BODY, NOW)
    assert not is_genuine([""], headers(signature=sign("", MESSAGE, AT, BODY)), BODY, NOW)


@pytest.mark.parametrize("secret", ["whsec_", "none", "whsec_bm9uZQ==", "whsec_" + "A" * 31 + "="])
def test_P16_a_secret_that_is_too_short_to_be_one_admits_nothing(secret):
    given = headers(signature=sign(secret, MESSAGE, AT, BODY))
    assert not is_genuine([SECRET, secret], given, BODY, NOW)
