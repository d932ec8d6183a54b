pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod pipeline;
pub(crate) mod shows;
