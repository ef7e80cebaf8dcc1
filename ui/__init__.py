"""What both faces share on the screen: theme, fonts, language, widgets, the bridge to the Kivy thread. Start at window.py."""
