"""Settings of the generated cases."""

from hypothesis import settings

# A slow machine is not a wrong program: no case has a time limit of its own. The proofs have many more cases.
settings.register_profile("untimed", deadline=None, max_examples=40)
settings.load_profile("untimed")
