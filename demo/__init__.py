"""The whole hall on one computer: broker, fleet, devices with simulated hardware, and people who use them."""
