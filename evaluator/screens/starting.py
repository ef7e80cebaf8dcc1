"""Starting: the first frame, drawn before anything is known."""

from evaluator.screens.view import View


class StartingView(View):
    """Draws scene.Starting."""
