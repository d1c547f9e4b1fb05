"""What is sent to a host and nobody else may see: a server may repeat the key that it refuses."""

from collections.abc import Iterable

from price.model import Answer

_HIDDEN = "***"
_LEAST_LETTERS = 8
"""Of a secret: shorter texts stand in honest answers, too."""
_TELLING_LETTERS = 6
"""So many of a secret's first letters are hidden too, where the rest is cut off."""


class Secrets:
    """The values of the headers that were added to ours."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = tuple(value for value in values if len(value) >= _LEAST_LETTERS)

    def hidden_in(self, answer: Answer) -> Answer:
        """An answer without the secrets in its body: messages quote its words."""
        for secret in self._values:
            answer = answer._replace(body=answer.body.replace(secret.encode(), _HIDDEN.encode()))
        return answer

    def hidden_in_excerpt(self, text: str) -> str:
        """A message without the secrets, of which it may have only the beginning."""
        for secret in self._values:
            for length in range(len(secret), _TELLING_LETTERS - 1, -1):
                text = text.replace(secret[:length], _HIDDEN)
        return text
