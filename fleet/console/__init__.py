"""The console for operations staff: pages that call services and hold no rules. docs/operations.md is its manual."""
