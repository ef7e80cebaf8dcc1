"""Failed: a press could not be recorded, and the citizen is told so."""

from evaluator.screens.view import View


class FailedView(View):
    """Draws scene.Failed."""
