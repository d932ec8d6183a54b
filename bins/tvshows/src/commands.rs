pub(crate) mod openapi;
pub(crate) mod serve;
pub(crate) mod sim;
pub(crate) mod update;
pub(crate) mod verify;
