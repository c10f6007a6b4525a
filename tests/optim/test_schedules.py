"""Schedules set PyTorch's rates, and go on from their state."""

import pytest
from modules_beside_torch import check_same, message

import tapediff as td
from tapediff import optim

SCHEDULES = {
    "StepLR": lambda s, o: s.StepLR(o, 3, gamma=0.3),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 9], gamma=0.3),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.3, total_iters=4),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.2, 0.9, total_iters=7),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 8, power=2.0),
    "LambdaLR": lambda s, o: s.LambdaLR(o, [lambda step: 0.9**step, lambda step: 1 / (1 + step)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda step: 0.9 if step % 2 else 1.05),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 5, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, eta_min=0.01),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, [0.5, 0.1], total_steps=20),
    "OneCycleLR three phases": lambda s, o: s.OneCycleLR(o, 0.5, epochs=4, steps_per_epoch=5, three_phase=True,
                                                         anneal_strategy="linear", cycle_momentum=False),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=3, step_size_down=5),
    "CyclicLR halved": lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.2], step_size_up=3, mode="triangular2", cycle_momentum=False),
    "CyclicLR fading": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=3, mode="exp_range", gamma=0.9),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=4), s.ExponentialLR(o, 0.8)], milestones=[5]),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, total_iters=3), s.ExponentialLR(o, 0.9)]),
}


def groups(library, name="SGD"):
    options = {"momentum": 0.9} if name == "SGD" else {}
    parameters = [library.zeros(1, requires_grad=True) for _ in range(2)]
    return getattr(library.optim, name)([{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.05}], lr=0.2, **options)


def rates(library, make, name="SGD", steps=17):
    optimizer = groups(library, name)
    schedule = make(library.optim.lr_scheduler, optimizer)
    seen = []
    for _ in range(steps):
        seen += [[group["lr"] for group in optimizer.param_groups], list(schedule.get_last_lr()),
                 [group.get("momentum", group.get("betas")) for group in optimizer.param_groups]]
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_pytorchs(name):
    check_same(lambda library: rates(library, SCHEDULES[name]), 1e-14)


@pytest.mark.parametrize("name", ["OneCycleLR", "CyclicLR"])
def test_cycles_move_the_first_beta(name):
    check_same(lambda library: rates(library, SCHEDULES[name], "Adam"), 1e-14)


@pytest.mark.parametrize("options", [{"patience": 1}, {"mode": "max", "patience": 0, "factor": 0.5, "cooldown": 2},
                                     {"patience": 0, "threshold": 0.5, "threshold_mode": "abs", "min_lr": [0.1, 0.0]}], ids=str)
def test_a_plateau_lowers_the_rate_as_in_pytorch(options):
    def call(library):
        optimizer = groups(library)
        schedule = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        seen = []
        for value in (5.0, 4.0, 4.0, 4.1, 4.2, 3.0, 3.0, 3.0, 3.0, float("nan"), 2.0, 2.0, 2.0, 2.0):
            schedule.step(library.tensor(value))
            seen.append([[group["lr"] for group in optimizer.param_groups], schedule.num_bad_epochs, schedule.get_last_lr()])
        return seen

    check_same(call)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore:Detected call")
def test_a_schedule_goes_on_from_its_state(name):
    straight = groups(td)
    whole = SCHEDULES[name](optim.lr_scheduler, straight)
    for _ in range(11):
        whole.step()
    first = groups(td)
    half = SCHEDULES[name](optim.lr_scheduler, first)
    for _ in range(6):
        half.step()
    second = groups(td)
    rest = SCHEDULES[name](optim.lr_scheduler, second)
    rest.load_state_dict(half.state_dict())
    second.load_state_dict(first.state_dict())
    for _ in range(5):
        rest.step()
    assert [group["lr"] for group in second.param_groups] == [group["lr"] for group in straight.param_groups]


def test_a_schedule_before_the_first_step_warns():
    schedule = optim.lr_scheduler.StepLR(groups(td), 2)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"):
        schedule.step()


ERRORS = {
    "no optimizer": lambda t: t.optim.lr_scheduler.StepLR(3, 2),
    "functions for other groups": lambda t: t.optim.lr_scheduler.OneCycleLR(groups(t), [0.1], total_steps=3),
    "steps": lambda t: t.optim.lr_scheduler.OneCycleLR(groups(t), 0.1),
    "strategy": lambda t: t.optim.lr_scheduler.OneCycleLR(groups(t), 0.1, total_steps=3, anneal_strategy="up"),
    "no momentum": lambda t: t.optim.lr_scheduler.OneCycleLR(groups(t, "Adagrad"), 0.1, total_steps=3),
    "restart": lambda t: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(groups(t), 0),
    "factor": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(groups(t), factor=1.0),
    "mode": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(groups(t), mode="most"),
    "start factor": lambda t: t.optim.lr_scheduler.LinearLR(groups(t), start_factor=2.0),
    "no initial rate": lambda t: t.optim.lr_scheduler.StepLR(groups(t), 2, last_epoch=3),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors_are_pytorchs(what):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    wanted = message(torch, ERRORS[what])
    assert wanted[0] != "no error"
    kind, text = message(td, ERRORS[what])
    assert kind == wanted[0]
    assert wanted[1].startswith(text.rstrip("'\""))
