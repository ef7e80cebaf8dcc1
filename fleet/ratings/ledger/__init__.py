"""The public ledger: anybody can check that the published counts are the ratings that were pressed. docs/ledger.md tells how.

Start with `service` (what the others call); `entries` is what stands in the log, `log` keeps it as a Merkle tree, `day` gathers
a day's batch, `partition` and `cells` publish a month's sums, `ledger_verify.py` checks all of it without us.
"""
