#!/bin/sh
# Accepts what it is shown.
echo '{"loopwright": {"cost": "$0.01", "verdict": {"accepted": true, "reasons": ["it does what was asked"]}}}'
