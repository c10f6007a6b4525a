"""Nodes of the graph, and who they belong to."""

import gc

import tapediff as td


def test_a_node_is_one_object_while_it_is_held():
    x = td.ones(2, requires_grad=True)
    y = x * 2
    node = y.grad_fn
    assert y.grad_fn is node
    assert (y + 1).grad_fn.next_functions[0][0] is node
    assert (y + x).grad_fn.next_functions[1][0] is node.next_functions[0][0]


def test_the_node_of_a_leaf_knows_the_users_tensor():
    x = td.ones(2, requires_grad=True)
    number = td.tensor(3.0, requires_grad=True)
    y = (x * number).sum()
    product = y.grad_fn.next_functions[0][0]
    assert product.next_functions[0][0].variable is x
    assert product.next_functions[1][0].variable is number
    del x
    gc.collect()
    assert product.next_functions[0][0].variable.tolist() == [1.0, 1.0]


def test_only_operands_that_can_have_a_derivative_are_edges():
    x = td.ones(3, requires_grad=True)
    assert len(td.where(x > 0, x, x * 2).grad_fn.next_functions) == 2
    assert len(x.masked_fill(x > 0, 1.0).grad_fn.next_functions) == 1
    assert len(x.gather(0, td.tensor([0, 2])).grad_fn.next_functions) == 1
    assert (x * td.ones(3)).grad_fn.next_functions[1] == (None, 0)


def test_outputs_of_unbind_are_numbered():
    rows = td.ones(3, 2, requires_grad=True).unbind()
    columns = td.ones(3, 2, requires_grad=True).unbind(1)
    assert [row.output_nr for row in rows] == [0, 1, 2]
    assert [column.output_nr for column in columns] == [0, 1]
    assert (rows[0] * rows[2]).grad_fn.next_functions[1][1] == 2


def test_outputs_of_a_function_without_gradient_get_zeros_of_their_dtype():
    seen = []

    class Halves(td.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            sign, half = x > 0, x / 2
            ctx.mark_non_differentiable(sign)
            return half, sign, x.long()

        @staticmethod
        def backward(ctx, half, sign, whole):
            seen.extend([half.dtype, sign.dtype, whole.dtype])
            return half / 2

    x = td.tensor([2.0, -4.0], requires_grad=True)
    half, sign, whole = Halves.apply(x)
    assert not sign.requires_grad
    assert not whole.requires_grad
    half.sum().backward()
    assert seen == [td.float32, td.bool, td.int64]
    assert x.grad.tolist() == [0.5, 0.5]


def test_a_hook_after_accumulation_sees_the_sum():
    x = td.tensor([1.0, 2.0], requires_grad=True)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda leaf: seen.append((leaf is x, leaf.grad.tolist())))
    (x * 3).sum().backward()
    (x * x).sum().backward()
    handle.remove()
    (x * 1).sum().backward()
    assert seen == [(True, [3.0, 3.0]), (True, [5.0, 7.0])]
