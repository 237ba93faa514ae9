"""The ideal customer profile: labelled rows in, traits that hold on later accounts out.

Time rule: traits are found on earlier rows, whose outcome was known when the later ones begin, and every
figure that is quoted is of the later ones. Null rule: a missing value meets no condition.
"""

from __future__ import annotations

from training.ideal_profile.learning import learn_profile

__all__ = ["learn_profile"]
