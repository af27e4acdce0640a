"""The reward function for TRL, against a server that is scripted here."""

import http.server
import json
import threading

import pytest

import plaudit


@pytest.fixture
def server():
    """A reward server: `replies` are sent in order, the last again and again; `requests` keeps what was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append((self.path, dict(self.headers), body))
            reply = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            status, headers, answer = reply(body) if callable(reply) else reply
            payload = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(payload)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args):
            pass

    state = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.requests, state.replies = [], [lengths]
    state.url = f"http://127.0.0.1:{state.server_address[1]}"
    threading.Thread(target=state.serve_forever, daemon=True).start()
    yield state
    state.shutdown()
    state.server_close()


def lengths(body):
    return 200, {}, {"rewards": [len(text) for text in body["query"]], "scores": [], "extra_logs": {}}


BUSY = (503, {"Retry-After": "0.01"}, {"error": "loading"})


def test_plain_prompts_are_joined_and_labels_sent(server):
    reward = plaudit.trl_reward(server.url, label_column="answer", key="secret")
    assert reward(prompts=["ab", "c"], completions=["d", "efg"], completion_ids=[[1], [2]], answer=["x", None]) == [3.0, 4.0]
    path, headers, body = server.requests[0]
    assert path == "/get_reward" and headers["Authorization"] == "Bearer secret"
    assert body == {"query": ["abd", "cefg"], "prompts": ["ab", "c"], "labels": ["x", None]}


def test_a_full_url_is_kept(server):
    plaudit.trl_reward(server.url + "/rm/get_reward")(prompts=["a"], completions=["b"])
    assert server.requests[0][0] == "/rm/get_reward"


def test_conversations_go_through_the_template(server):
    prompt, completion = [{"role": "user", "content": "hi"}], [{"role": "assistant", "content": "yo"}]
    text = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyo<|im_end|>\n"
    plaudit.trl_reward(server.url, chat_template="chatml")([prompt], [completion])
    assert server.requests[0][2]["query"] == [text]

    class Tokenizer:
        def apply_chat_template(self, messages, tokenize):
            assert not tokenize
            return "|".join(m["content"] for m in messages)

    plaudit.trl_reward(server.url, chat_template=Tokenizer())([prompt], [completion])
    assert server.requests[1][2]["query"] == ["hi|yo"]
    with pytest.raises(ValueError, match="chat_template"):
        plaudit.trl_reward(server.url)([prompt], [completion])


def test_null_means_not_applicable(server):
    server.replies = [(200, {}, {"rewards": [1, None]})]
    assert plaudit.trl_reward(server.url)(["a", "b"], ["", ""]) == [1.0, None]


def test_a_busy_server_is_asked_again(server):
    server.replies = [BUSY, BUSY, lengths]
    assert plaudit.trl_reward(server.url)(["a"], ["b"]) == [2.0]
    assert len(server.requests) == 3
    server.replies = [BUSY]
    with pytest.raises(RuntimeError, match="503"):
        plaudit.trl_reward(server.url, tries=2)(["a"], ["b"])
    assert len(server.requests) == 5


@pytest.mark.parametrize("reply", [
    (422, {}, {"error": "too long"}),
    (200, {}, {"rewards": [1.0, 2.0]}),
    (200, {}, {"rewards": ["good"]}),
    (200, {}, [1.0]),
])
def test_a_bad_reply_is_an_error_at_once(server, reply):
    server.replies = [reply]
    with pytest.raises(RuntimeError, match="trl_reward"):
        plaudit.trl_reward(server.url)(["a"], ["b"])
    assert len(server.requests) == 1


def test_bad_arguments_are_refused(server):
    with pytest.raises(ValueError, match="label_column"):
        plaudit.trl_reward(server.url, label_column="gold")(["a"], ["b"])
    with pytest.raises(ValueError, match="completions"):
        plaudit.trl_reward(server.url)(["a", "c"], ["b"])
