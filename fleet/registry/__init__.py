"""Who is who: tenants, areas, halls, windows, staff, devices with dated placements, pairing, certificates.

Start with `fleet.registry.service`; `fleet.registry.door` is the HTTPS side that devices see before MQTT.
"""
