"""Where `cleaning_up` was; see tools/interrupts.py."""

from tools.interrupts import cleaning_up as cleaning_up
