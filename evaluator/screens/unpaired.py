"""Unpaired: the device belongs to no fleet. The code is big, and the screen says what the operator does next."""

from evaluator.screens.view import View


class UnpairedView(View):
    """Draws scene.Unpaired."""
