"""The JSON API for other systems, /api/v1, with its OpenAPI document. docs/integration.md shows it at work."""
