"""A reward function for TRL's trainers that asks a reward server."""

import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request


def _post(url, body, timeout, key):
    """The reply of one request: (status, headers, text); status 0 when there was none."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, dict(reply.headers), reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode(errors="replace")
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        return 0, {}, str(error)


def _seconds(headers):
    """The wait that the server asks for, in seconds; None where it names none."""
    value = {name.lower(): v for name, v in headers.items()}.get("retry-after")
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _ask(url, body, timeout, tries, key):
    from plaudit import verify

    for attempt in range(tries):
        status, headers, text = _post(url, body, timeout, key)
        if status == 200:
            return json.loads(text)
        if attempt + 1 == tries or not verify.should_retry(status, headers):
            break
        time.sleep(verify.backoff_delay(attempt, random.random(), _seconds(headers)))
    raise RuntimeError(f"trl_reward: {url} answered {status or 'nothing'}: {text[:500]}")


def _text(prompt, completion, chat_template):
    """Prompt and completion as the one text that is scored."""
    if isinstance(prompt, str) and isinstance(completion, str):
        return prompt + completion
    if chat_template is None:
        raise ValueError("trl_reward: chat_template is needed for messages: a tokenizer, or the name of a family")
    messages = list(prompt) + list(completion)
    if isinstance(chat_template, str):
        from plaudit import decode

        return decode.apply_chat_template(messages, family=chat_template, add_generation_prompt=False)
    return chat_template.apply_chat_template(messages, tokenize=False)


def _rewards(reply, count):
    rewards = reply.get("rewards") if isinstance(reply, dict) else None
    if not isinstance(rewards, list) or len(rewards) != count:
        raise RuntimeError(f"trl_reward: expected {count} rewards, got {json.dumps(reply)[:500]}")
    for reward in rewards:
        if reward is not None and (isinstance(reward, bool) or not isinstance(reward, (int, float))):
            raise RuntimeError(f"trl_reward: rewards must be numbers or null, got {reward!r}")
    return [None if reward is None else float(reward) for reward in rewards]


def trl_reward(url, chat_template=None, label_column=None, timeout=180, tries=5, key=None):
    """A function for ``reward_funcs`` of TRL's trainers that asks the reward server at ``url`` (``/get_reward``).

    ``chat_template`` makes the text of conversations: a tokenizer, or a family such as ``"chatml"``; plain prompts need
    none. ``label_column``: the column of the data set that is sent as the label. ``timeout``: seconds of one request;
    ``tries``: requests before RuntimeError; ``key``: bearer key. A reward of None says that it does not apply.
    """
    if urllib.parse.urlsplit(url).path in ("", "/"):
        url = url.rstrip("/") + "/get_reward"
    if tries < 1:
        raise ValueError(f"trl_reward: tries must be >= 1, got {tries}")

    def reward(prompts, completions, **columns):
        if len(prompts) != len(completions):
            raise ValueError(f"trl_reward: completions has {len(completions)} entries for {len(prompts)} prompts")
        if label_column is not None and label_column not in columns:
            raise ValueError(f"trl_reward: label_column '{label_column}' is no column of the data set")
        texts = [_text(p, c, chat_template) for p, c in zip(prompts, completions)]
        labels = [None] * len(texts) if label_column is None else list(columns[label_column])
        # The prompt alone is for servers that want it apart; a conversation's is the part before its reply.
        alone = [p if isinstance(p, str) else json.dumps(list(p)) for p in prompts]
        reply = _ask(url, {"query": texts, "prompts": alone, "labels": labels}, timeout, tries, key)
        return _rewards(reply, len(texts))

    reward.__name__ = "plaudit_reward"  # TRL's logs call it so
    return reward
