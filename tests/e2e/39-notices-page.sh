#!/bin/sh
# The inbox's page in a real browser, on a tablet that one person hands to the next.
exec python3 "$(dirname "$0")/lib/notices_page.py"
