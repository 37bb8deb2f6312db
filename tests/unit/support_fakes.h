/* The fake replicas of support_views.h: what each answers to the view manager. */
#pragma once

#include "tests/unit/support_views.h"

/* A uuid that was not drawn before. */
struct uuid rig_draw(struct rig *rig);

/* A replica that has not been started yet, with an empty data directory. */
void fake_init(struct rig *rig, uint32_t id);
/* Another process on the same data directory. */
void fake_new_process(struct rig *rig, uint32_t id);
/* It answers what it is sent. */
bool fake_answers(const struct fake *fake);
/* It is in that view now. */
void fake_enter(struct rig *rig, uint32_t id, const struct view *view, enum replica_state state);
/* A view settles as soon as all its members are there. */
void fake_settle_all(struct rig *rig);

/* It is sent INSTALL, BIND; a connection to it is requested. */
void fake_installed(struct rig *rig, uint32_t id);
void fake_bound(struct rig *rig, uint32_t id);
void fake_connect(struct rig *rig, uint32_t id);
