"""Optimizers under the names of torch.optim."""

from tapediff.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from tapediff.optim.adaptive import ASGD, Adadelta, Adagrad, RMSprop, Rprop
from tapediff.optim.optimizer import Optimizer
from tapediff.optim.sgd import SGD

__all__ = ["ASGD", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop"]
