"""Files on a stick."""

import json

import pytest

from licensing.document.errors import DocumentError
from licensing.document.files import AnswerFile, dump_answer_file, load_answer_file
from licensing.document.nonces import is_offline_challenge, new_nonce, offline_challenge


def test_an_answer_file_is_json_with_two_envelopes_as_strings() -> None:
    raw = dump_answer_file(AnswerFile(b'{"k":1}', b'{"a":2}'))
    assert json.loads(raw) == {"keyset": '{"k":1}', "answer": '{"a":2}'}
    assert load_answer_file(raw) == AnswerFile(b'{"k":1}', b'{"a":2}')
    with pytest.raises(DocumentError):
        load_answer_file(b'{"answer":"x"}')


def test_a_challenge_of_the_client_is_known_by_its_shape() -> None:
    assert is_offline_challenge(offline_challenge())
    assert not is_offline_challenge(new_nonce())
    assert not is_offline_challenge("offline." + "A" * 32)
    assert not is_offline_challenge(offline_challenge() + "\n")
