output "budget_names" {
  description = "Budgets."
  value       = values(aws_budgets_budget.this)[*].name
}

output "monthly_budget_usd" {
  description = "What a month may cost, all in all."
  value       = tonumber(aws_budgets_budget.this["total"].limit_amount)
}
