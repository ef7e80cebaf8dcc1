"""Texts come from gettext catalogues, compiled once; mistakes in them are found by the check and never crash a screen."""

import pytest

from ui import catalogue, locale_check

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def write(root, room, language, texts, *, name="a"):
    folder = root / room / "locale" / language / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    body = "\n".join(f'msgid "{key}"\nmsgstr "{text}"\n' for key, text in texts)
    (folder / f"{name}.po").write_text(HEAD + body, encoding="utf-8")


def room(root, texts=(("a.one", "一"),), **others):
    for language in catalogue.LANGUAGES:
        write(root, "ui", language, others.get(language, texts))
    (root / "ui" / "use.py").write_text("\n".join(f'X = "{key}"' for key, _ in texts), encoding="utf-8")


def test_a_text_is_said_in_each_language(tmp_path):
    room(tmp_path, zh=[("a.one", "你好 {name}")], ko=[("a.one", "{name} 안녕")], en=[("a.one", "Hello {name}")])
    texts = catalogue.load([tmp_path / "ui" / "locale"], tmp_path)
    assert [texts.say(language, "a.one", {"name": "X"}) for language in catalogue.LANGUAGES] == ["你好 X", "X 안녕", "Hello X"]


def test_an_unknown_id_and_a_missing_value_stay_visible(tmp_path):
    room(tmp_path, [("a.one", "第 {n} 号")])
    texts = catalogue.load([tmp_path / "ui" / "locale"], tmp_path)
    assert texts.say("zh", "no.such", {}) == "no.such"
    assert texts.say("zh", "a.one", {}) == "第 {n} 号"


def test_a_changed_catalogue_is_compiled_anew(tmp_path):
    room(tmp_path)
    catalogue.load([tmp_path / "ui" / "locale"], tmp_path)
    room(tmp_path, [("a.one", "二")])
    assert catalogue.load([tmp_path / "ui" / "locale"], tmp_path).say("zh", "a.one", {}) == "二"


def test_an_unreadable_catalogue_is_named(tmp_path):
    room(tmp_path)
    (tmp_path / "ui/locale/ko/LC_MESSAGES/a.po").write_text('msgid "x\nnonsense', encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.po is no gettext catalogue"):
        catalogue.load([tmp_path / "ui" / "locale"], tmp_path)


def test_clean_catalogues_have_no_problems(tmp_path):
    room(tmp_path)
    assert locale_check.check(tmp_path) == []


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ({"ko": []}, "a.one is missing"),
        ({"en": [("a.one", "One"), ("a.two", "Two")]}, "a.two is not in zh"),
        ({"en": [("a.one", "")]}, "a.one has no text"),
        ({"en": [("a.one", "One {n}")]}, "placeholders ['n'], zh has []"),
        ({"ko": [("a.one", "1"), ("a.one", "1")]}, "a.one stands already in line"),
    ],
)
def test_each_kind_of_mistake_is_found(tmp_path, texts, complaint):
    room(tmp_path, **texts)
    assert any(complaint in problem for problem in locale_check.check(tmp_path))


def test_a_text_nobody_uses_is_found(tmp_path):
    room(tmp_path)
    (tmp_path / "ui" / "use.py").write_text("", encoding="utf-8")
    assert any("a.one is never used" in problem for problem in locale_check.check(tmp_path))


def test_an_id_put_together_counts_as_used(tmp_path):
    room(tmp_path, [("level.5", "五")])
    (tmp_path / "ui" / "use.py").write_text('def f(n):\n    return f"level.{n}"\n', encoding="utf-8")
    assert locale_check.check(tmp_path) == []


def test_an_id_that_is_said_but_not_there_is_found(tmp_path):
    room(tmp_path)
    (tmp_path / "ui" / "a.kv").write_text("    text: words.t('a.two')\n", encoding="utf-8")
    assert any("a.two is said but in no catalogue" in problem for problem in locale_check.check(tmp_path))


def test_a_text_of_the_ui_may_not_be_repeated_by_a_room(tmp_path):
    room(tmp_path)
    for language in catalogue.LANGUAGES:
        write(tmp_path, "terminal", language, [("a.one", "一")])
    assert any("in the ui's catalogue already" in problem for problem in locale_check.check(tmp_path))
