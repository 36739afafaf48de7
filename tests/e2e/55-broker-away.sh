#!/bin/sh
# Kafka stands still under load: orders go on, events follow later. AWAY_S=60 is the long form, HOW=stopped another.
# stack: 2
exec python3 "$(dirname "$0")/lib/broker_away.py"
