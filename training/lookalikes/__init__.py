"""Lookalikes asked for, written down and measured: the command, its evaluation and its yardsticks.

Time rule: accounts are taken as they are known at one moment. Null rule: that of `models.lookalikes`.
"""
