"""``python -m analyzer`` is the command ``wfp-analyzer``."""

import sys

from analyzer.cli import main

sys.exit(main())
