//! Running Seiketsu on AWS.
