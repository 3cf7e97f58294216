"""The commands of ``wfp-analyzer``, one module each, and how they speak. No analysis happens here.

Everything heavy is imported when it is needed, so that ``--help`` answers at once.
"""
