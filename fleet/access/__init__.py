"""Who may do what: users, roles, sessions, API keys, lock-out, audit. Start with `fleet.access.rules`, then `service`."""
