"""A device without pixels and pins: journals, the agent process, the local socket, configuration, identity, clock trust.

Faces use `runtime.journal` (what must not be lost), `runtime.local` (talk with the agent), `runtime.config`,
`runtime.identity` and `runtime.clock`. Everything else is the agent's (`runtime.agent`, started by `nw-agent`).
"""
