"""Refusals that people read: each carries its reason in Chinese and English, so that the console speaks the reader's language."""


class Explained(ValueError):
    """Base of refusals with words for people; `str()` is the English text, which logs and the API use."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en

    def words(self, language: str) -> str:
        """The reason in "zh" or "en"."""
        return self.zh if language == "zh" else self.en
