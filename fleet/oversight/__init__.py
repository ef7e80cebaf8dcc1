"""What becomes of bad ratings: working days, work orders with deadlines and cards, contact data, revisits, notification.

Start with `fleet.oversight.rules` (the states and who may do what), then `orders`. docs/oversight.md tells it to its users.
"""
