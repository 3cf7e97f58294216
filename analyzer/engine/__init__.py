"""The filter engine: conditions with three answers, and the platform's arbitration, on recorded flows.

It knows states (filters, conditions, callouts) and flows (arrays), no files and no pages. One way through it::

    flows    = recorded.from_events(events, ...)                 # FlowArrays, n rows
    distinct, where = folding.distinct(flows)                    # equal rows once; where: intp[n]
    policy   = states.policy_of(book, snapshot)                  # policy.compile_policy for one state of a book
    result   = arbitrate.decide(policy, distinct)                # Decisions; result.decision[where] is per event

=====================  ================================================================================================
``answers``            ``YES, CANNOT_TELL, NO`` = int8 1, 0, -1: "or" is the maximum, "and" the minimum
``flows``              ``FlowArrays``: what is recorded of n flows, as arrays; ``Texts``: coded text
``recorded``           ``from_events(events, account=None, assume_own_token=False) -> FlowArrays``
``folding``            ``distinct(flows) -> (FlowArrays, intp[n])``
``tokens``             ``Token``: what is known of a connection's token; ``member(token, sid) -> -1, 0, 1``
``access``             ``access(descriptor, token, mask) -> -1, 0, 1``: an access check in the order of the entries
``predicates``         ``one(flows, test) -> int8[n]``: one condition; ``FIELDS``, ``ENDPOINT_FIELDS``
``words``              ``recorded_value(flows, at, field) -> str | None``: what the record says of a field, for people
``conditions``         ``Test``, ``tests_by_filter``; ``by_field(flows, tests) -> {field: int8[n]}``, ``conjunction``,
                       ``all_fields(flows, tests) -> int8[n]``: one filter (the same field: or; different fields: and)
``policy``             ``compile_policy(...) -> Policy``: per layer the sublayers in order, per sublayer the filters in
                       order of effective weight, what each may do, and which are not in force and why
``evaluate``           ``Evaluator(policy.program, flows)``: answers of many filters on the same flows, each distinct
                       condition once: ``.answer(row) -> int8[n]``
``outcomes``           what a sublayer may say, as bits (``NONE, SOFT_PERMIT, HARD_PERMIT, SOFT_BLOCK, HARD_BLOCK,
                       CALLOUT_BLOCK``), and how sublayers combine
``sublayers``          ``Told``: what records say of callouts; ``hear(evaluator, sublayer, told=None) -> Said``
``endings``            ``ending(policy, row, action) -> Ending | None``: what a record tells of the filters that it does
                       not name; ``Endings``: that of n flows, in ``FlowArrays.endings``
``arbitrate``          ``decide(policy, flows, told=None) -> Decisions``;
                       ``standing(policy, flows, rows, told=None) -> Standing``: of one named filter per flow;
                       ``decide_and_stand(policy, flows, rows, told=None)``: both, with the flows evaluated once
``trace``              ``trace(policy, flows, at, told=None) -> Trace``: all of it for one flow, for ``explain``
=====================  ================================================================================================

Rows are rows of ``Book.filters`` everywhere; -1 is none.

``Decisions`` (n flows): ``decision`` int8 (``PERMIT`` 1, ``CANNOT_TELL`` 0, ``BLOCK`` -1), ``deciding`` int64 (row of
the one filter that a record of this decision has to name, -1 where several may be meant), ``known`` bool (False: the
state does not tell the filters of the flow's layer, or the flow's layer is not known), ``left_out`` bool (not
evaluated, since the work would not be bounded: such a flow cannot be told, and its filter stands nowhere).

``Standing`` (n flows and a row for each): ``answer`` int8 (the filter's conditions), ``candidate`` bool (it may be the
one that ends its sublayer: its answer is not *no* and nothing before it ends the sublayer for sure), ``only`` bool (it
is the only candidate, and says yes), ``may_decide`` bool (a record of the whole layer's decision may name it),
``in_force`` bool.

``Told`` (n flows): ``row`` and ``action`` of the filter that a record says has ended its sublayer. It is used for
callouts alone: what they decide cannot be told otherwise.

``Endings`` (n flows): the filters of the policy that ended their sublayer, and those that did not. They hold for that
policy and for the same with filters added; which state a record speaks of, and how surely, is for the caller to know.

``Trace``: ``layer, known, ordered, decision, deciding, sublayers``; each sublayer has ``key, weight, outcome`` (bits)
and ``filters``: ``row, answer, reached`` (bool), ``candidate`` (bool), ``conditions``: ``test, answer, recorded``.

*Cannot tell* is the answer for whatever the record, the state or this engine does not know: a field or a value type it
has never heard of, a token without its user, a callout's own decision. Knowing more about a flow turns *cannot tell*
into *yes* or *no* and never *yes* into *no* or back.
"""
