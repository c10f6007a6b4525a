"""Optimizers under the names of torch.optim."""

from tapediff.optim import lr_scheduler
from tapediff.optim.adafactor import Adafactor
from tapediff.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from tapediff.optim.adaptive import ASGD, Adadelta, Adagrad, RMSprop, Rprop
from tapediff.optim.lbfgs import LBFGS
from tapediff.optim.optimizer import Optimizer
from tapediff.optim.sgd import SGD

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam",
    "RMSprop", "Rprop", "lr_scheduler",
]
