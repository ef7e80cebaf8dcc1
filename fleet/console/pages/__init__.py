"""One module a page; each has `mount(app, site)`. Pages call services and hold no rules."""
