"""The login page, and the page for an address that leads nowhere: plain HTML, so that they work before anything else does."""

from html import escape

from fleet.console.site import LOGO

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Nightwindow</title><link rel="stylesheet" href="/style.css"></head>
<body class="login"><main class="card">
<div class="brand" style="padding:0">{logo}<span>Nightwindow</span></div>
<h1>{title}</h1>{notice}
<form method="post" action="/login" style="display:flex;flex-direction:column;gap:16px">
<input type="hidden" name="next" value="{next}">
<label class="field"><span>{name_label}</span>
<input name="name" value="{name}" autocomplete="username" required maxlength="64" {focus_name}></label>
<label class="field"><span>{password_label}</span>
<input name="password" type="password" autocomplete="current-password" required maxlength="500" {focus_password}></label>
<button class="btn main-act" type="submit">{submit}</button>
</form>
<p class="small"><a href="/language/{other}">{other_name}</a></p>
</main></body></html>"""


_NOWHERE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Nightwindow</title><link rel="stylesheet" href="/style.css"></head>
<body class="login"><main class="card">
<div class="brand" style="padding:0">{logo}<span>Nightwindow</span></div>
<h1>{title}</h1><p>{text}</p><p><a href="/">{back}</a></p>
</main></body></html>"""


def nowhere_page(language: str) -> str:
    """What an address shows that leads nowhere, in "zh" or "en"."""
    zh = language == "zh"
    return _NOWHERE.format(
        lang="zh-CN" if zh else "en",
        title="没有这个页面" if zh else "There is no such page",
        text="地址可能抄错了，或者页面已不在。" if zh else "The address may be mistyped, or the page is gone.",
        back="回到总览" if zh else "To the overview",
        logo=LOGO,
    )


def login_page(language: str, next_path: str, *, wrong: bool = False, wait_ms: int = 0, name: str = "") -> str:
    """The page in "zh" or "en", perhaps with why the last try failed."""
    zh = language == "zh"
    notice = ""
    if wait_ms:
        seconds = wait_ms // 1000 + 1
        notice = f"尝试次数过多，请 {seconds} 秒后再试" if zh else f"Too many tries; try again in {seconds} s"
    elif wrong:
        notice = "用户名或密码不对" if zh else "Wrong name or password"
    return _PAGE.format(
        lang="zh-CN" if zh else "en",
        title="运维台登录" if zh else "Log in to operations",
        logo=LOGO,
        notice=f'<p class="chip bad" role="alert" style="white-space:normal">{notice}</p>' if notice else "",
        next=escape(next_path),
        name_label="用户名" if zh else "Name",
        password_label="密码" if zh else "Password",
        name=escape(name),
        focus_name="" if name else "autofocus",
        focus_password="autofocus" if name else "",
        submit="登录" if zh else "Log in",
        other="en" if zh else "zh",
        other_name="English" if zh else "中文",
    )
