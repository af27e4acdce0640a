"""plaudit turns feedback into rewards, rewards into policies, and says how far each can be trusted.

Every function of the library is here as ``plaudit.<area>.<name>``, with keyword arguments, autograd and any device::

    import plaudit
    r = plaudit.preference.dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta=0.1)
    r.loss.backward()

``help(plaudit.preference.dpo_loss)`` shows the arguments and results, ``plaudit.functions()`` lists all. Numbers,
lists and arrays stand for tensors; Python's own numbers become float64, as in ``plaudit call``. An argument named like a
keyword of Python takes an underscore (``lambda_``). A bad argument raises ValueError with the name of the argument. The
functions trace under ``torch.compile(fullgraph=True)``. ``plaudit.trl_reward(url)`` is a reward function for TRL.
``plaudit.env`` has the simulated tasks as environments of Gymnasium.
"""

from plaudit._functions import functions, install
from plaudit._library import library_path
from plaudit._trl import trl_reward

__all__ = ["env", "functions", "library_path", "trl_reward", *install(__name__)]


def __getattr__(name):
    """`plaudit.env` brings in gymnasium, so it is imported when it is first asked for."""
    if name == "env":
        import plaudit.env

        return plaudit.env
    raise AttributeError(f"module 'plaudit' has no attribute '{name}'")
